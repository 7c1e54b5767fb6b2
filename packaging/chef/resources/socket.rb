# A socket that circusd holds for workers. It becomes /etc/circus/conf.d/socket-NAME.ini.
unified_mode true
provides :circus_socket

property :options, Hash, required: [:create], description: 'Options of [socket:NAME].'

action_class do
  def path
    "/etc/circus/conf.d/socket-#{new_resource.name}.ini"
  end
end

action :create do
  circus_file path do
    sections "socket:#{new_resource.name}" => new_resource.options
  end
end

action :delete do
  circus_file path do
    action :delete
  end
end
