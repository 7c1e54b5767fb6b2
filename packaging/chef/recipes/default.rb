package node['circus']['packages']

directory '/etc/circus/conf.d' do
  owner 'root'
  group 'root'
  mode '0755'
end

service 'circus' do
  reload_command node['circus']['reload_command']
  supports reload: true
  action [:enable, :start]
end

circus_file '/etc/circus/circus.ini' do
  sections 'circus' => node['circus']['options'].to_h.merge('include_dir' => 'conf.d')
  mode '0644'
end

# a file that names what no other file declares is refused: sockets come first
%w(socket watcher).each do |kind|
  node['circus']["#{kind}s"].each do |name, properties|
    declare_resource(:"circus_#{kind}", name) do
      properties.each { |property, value| public_send(property, value) }
    end
  end
end
