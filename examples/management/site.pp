# Documentation by HTTP, on every node: `puppet apply site.pp`, with packaging/puppet as modules/circus.
class { 'circus':
  package_sources => { # while no repository of yours has them
    'python3-circus' => '/root/python3-circus.deb',
    'circus'         => '/root/circus.deb',
  },
}

circus::watcher { 'documents':
  cmd     => '/usr/bin/python3 -m http.server --bind 127.0.0.1 8123',
  options => {
    'working_dir'      => '/usr/share/doc',
    'uid'              => 'nobody',
    'graceful_timeout' => 5,
  },
  env     => { 'PYTHONUNBUFFERED' => '1' },
}
