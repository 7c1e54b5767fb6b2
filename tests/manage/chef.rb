# Reads a cookbook and a recipe like Chef, without Chef, and prints the resources that it comes to:
#   ruby chef.rb COOKBOOK RECIPE
# Custom resources are followed into their actions, templates are rendered. What Chef would not know
# (a property, a resource, somebody to notify) is an error.
require 'erb'
require 'json'

COOKBOOK, RECIPE = ARGV
BUILT_IN = {
  package: [],
  directory: %i(owner group mode),
  file: %i(owner group mode),
  service: %i(reload_command supports),
  template: %i(cookbook source owner group mode variables verify),
}.freeze
COMMON = %i(action sensitive notifies).freeze
DECLARED = []
CUSTOM = {}
TREE = ->(hash, key) { hash[key] = Hash.new(&TREE) }
NODE = Hash.new(&TREE)

# What a file in resources/ says.
class Definition
  attr_reader :properties, :actions, :helpers

  def initialize(file)
    @properties, @actions, @helpers = {}, {}, Module.new
    instance_eval(File.read(file), file)
  end

  def unified_mode(_on) = nil
  def provides(name) = CUSTOM[name] = self
  def property(name, *_types, **about) = @properties[name] = about
  def action(name, &body) = @actions[name] = body
  def action_class(&body) = @helpers.module_eval(&body)
end

# Where resources can be declared: a recipe, or an action of a custom resource.
class Declarations
  def initialize(resource = nil) = @resource = resource
  def node = NODE
  def new_resource = @resource

  def include_recipe(name)
    file = "#{COOKBOOK}/recipes/#{name.split('::').fetch(1, 'default')}.rb"
    instance_eval(File.read(file), file)
  end

  def declare_resource(type, name, &block)
    raise "no such resource: #{type}" unless BUILT_IN.key?(type) || CUSTOM.key?(type)
    Resource.new(self, type, name, &block).converge
  end

  (BUILT_IN.keys + %i(circus_file circus_watcher circus_socket)).each do |type|
    define_method(type) { |name, &block| declare_resource(type, name, &block) }
  end
end

# One that is declared.
class Resource
  attr_reader :name, :values

  def initialize(place, type, name, &block)
    @place, @type, @name, @custom = place, type, name, CUSTOM[type]
    known = @custom ? @custom.properties.keys : BUILT_IN.fetch(type)
    @values = defaults
    (known + COMMON).each { |key| define_singleton_method(key) { |*args| access(key, args) } }
    instance_eval(&block) if block
  end

  # a block sees also what is around it
  def node = NODE
  def new_resource = @place.new_resource

  def converge
    content = @type == :template ? { content: rendered } : {}
    DECLARED << { type: @type, name: @name, **@values.compact, **content }
    return unless @custom
    check
    place = Declarations.new(self)
    place.extend(@custom.helpers)
    place.instance_eval(&@custom.actions.fetch(action))
  end

  private

  def defaults
    return {} unless @custom
    start = @custom.properties.transform_values { |about| about[:default] }
    named = @custom.properties.select { |_, about| about[:name_property] }
    start.merge(named.transform_values { @name }, action: @custom.actions.keys.first)
  end

  # a property is set by what follows it, and read without
  def access(key, args)
    @values[key] = args.size == 1 ? args.first : args unless args.empty?
    @values[key]
  end

  def check
    @custom.properties.each do |key, about|
      value = @values[key]
      missing = value.nil? && about.fetch(:required, []).include?(action)
      raise "#{@type} #{@name} has no #{key}" if missing
      fits = about[:regex].nil? || about[:regex].match?(value.to_s)
      raise "#{@type} #{@name}, #{key}: not so: #{about[:regex].source}" unless fits
      about.fetch(:callbacks, {}).each do |rule, holds|
        raise "#{@type} #{@name}, #{key}: not so: #{rule}" unless value.nil? || holds.call(value)
      end
    end
  end

  def rendered
    text = ERB.new(File.read("#{COOKBOOK}/templates/#{source}"), trim_mode: '-')
    place = Object.new
    variables.each { |key, value| place.instance_variable_set("@#{key}", value) }
    text.result(place.instance_eval { binding })
  end
end

def default = NODE

Dir["#{COOKBOOK}/attributes/*.rb"].each { |file| instance_eval(File.read(file), file) }
Dir["#{COOKBOOK}/resources/*.rb"].each { |file| Definition.new(file) }
Declarations.new.instance_eval(File.read(RECIPE), RECIPE)
there = DECLARED.map { |one| "#{one[:type]}[#{one[:name]}]" }
DECLARED.each do |one|
  _, target, = one[:notifies]
  raise "nobody to notify: #{target}" unless target.nil? || there.include?(target)
end
puts JSON.generate(DECLARED)
