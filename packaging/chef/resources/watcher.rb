# A watcher: one command, run as a number of workers. It becomes /etc/circus/conf.d/NAME.ini.
unified_mode true
provides :circus_watcher

property :cmd, String, required: [:create], description: 'The command line.'
property :options, Hash, default: {}, description: 'Options of [watcher:NAME].'
property :env, Hash, default: {}, description: 'Variables of its workers.'

action_class do
  def path
    "/etc/circus/conf.d/#{new_resource.name}.ini"
  end
end

action :create do
  parts = {
    "watcher:#{new_resource.name}" => { 'cmd' => new_resource.cmd }.merge(new_resource.options),
    "env:#{new_resource.name}" => new_resource.env,
  }

  circus_file path do
    sections parts.reject { |_, options| options.empty? }
    sensitive new_resource.sensitive
  end
end

action :delete do
  circus_file path do
    action :delete
  end
end
