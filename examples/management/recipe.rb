# Documentation by HTTP, on every node: a recipe of yours, with packaging/chef as the cookbook circus.
include_recipe 'circus'

circus_watcher 'documents' do
  cmd '/usr/bin/python3 -m http.server --bind 127.0.0.1 8123'
  options 'working_dir' => '/usr/share/doc', 'uid' => 'nobody', 'graceful_timeout' => 5
  env 'PYTHONUNBUFFERED' => '1'
end
