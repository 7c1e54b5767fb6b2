# In the order in which they are installed, from a repository that the node knows.
default['circus']['packages'] = %w(python3-circus circus)

# Options of [circus], beside include_dir. `strict` makes errors of misspelt options.
default['circus']['options'] = { 'strict' => true, 'operate_groups' => 'circus' }

# It ends with an error when the files are refused, and replaces only workers that something changed
# for; `systemctl reload circus` replaces all.
default['circus']['reload_command'] = '/usr/bin/circusctl reloadconfig --waiting'

# Name to properties of circus_socket and circus_watcher.
default['circus']['sockets'] = {}
default['circus']['watchers'] = {}
