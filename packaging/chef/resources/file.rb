# A configuration file, checked together with all others before it takes its place.
unified_mode true
provides :circus_file

# it stands between quotes in a command
property :path, String, name_property: true, regex: %r{\A/[^'\n]+\z}
property :sections, Hash, required: [:create],
         description: 'The options of each section.',
         callbacks: {
           # a value ends with its line, and at a semicolon after a blank if that is the first
           'has values that circusd reads back' => lambda do |sections|
             values = sections.values.flat_map(&:values).flatten
             values.none? { |value| value.to_s.match?(/\n|\A;|\A[^;]*\s;/) }
           end,
         }
property :mode, String, default: '0600',
         description: 'Who may read it: by default nobody else, as environments hold secrets.'

action :create do
  template new_resource.path do
    cookbook 'circus'
    source 'file.ini.erb'
    owner 'root'
    group 'root'
    mode new_resource.mode
    sensitive new_resource.sensitive
    variables sections: new_resource.sections
    verify '/usr/bin/circusd --check /etc/circus/circus.ini ' \
           "--instead-of '#{new_resource.path}' %{path}"
    notifies :reload, 'service[circus]', :delayed
  end
end

action :delete do
  file new_resource.path do
    action :delete
    notifies :reload, 'service[circus]', :delayed
  end
end
