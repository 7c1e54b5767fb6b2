# @summary The main file, and the folder for all others
#
# @api private
class circus::config {
  file { '/etc/circus':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }

  circus::file { '/etc/circus/circus.ini':
    sections => { 'circus' => $circus::options + { 'include_dir' => 'conf.d' } },
    mode     => '0644',
  }

  file { '/etc/circus/conf.d':
    ensure  => directory,
    owner   => 'root',
    group   => 'root',
    mode    => '0755',
    recurse => $circus::purge_conf_d,
    purge   => $circus::purge_conf_d,
  }
}
