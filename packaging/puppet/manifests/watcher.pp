# @summary A watcher: one command, run as a number of workers
#
# It becomes `/etc/circus/conf.d/NAME.ini`. Users, programs and folders that it names have to be
# there first, or the file is refused.
#
# @example Two workers on a socket
#   circus::socket { 'web':
#     options => { 'host' => '127.0.0.1', 'port' => 8080 },
#   }
#   circus::watcher { 'web':
#     cmd     => '/usr/bin/web --fd $(circus.sockets.web)',
#     options => { 'numprocesses' => 2, 'sockets' => 'web', 'uid' => 'www-data' },
#     env     => { 'DATABASE' => Sensitive('postgresql://web:secret@db/web') },
#   }
#
# @param cmd
#   The command line; only one that is not to be there can do without.
# @param options
#   Options of `[watcher:NAME]`.
# @param env
#   Variables of its workers.
# @param ensure
#   Whether there is such a watcher.
define circus::watcher (
  Optional[Circus::Text]    $cmd     = undef,
  Circus::Options           $options = {},
  Circus::Options           $env     = {},
  Enum['present', 'absent'] $ensure  = 'present',
) {
  $command = $cmd ? {
    undef   => {},
    default => { 'cmd' => $cmd },
  }
  $variables = $env.empty ? {
    true    => {},
    default => { "env:${title}" => $env },
  }

  circus::part { $title:
    ensure   => $ensure,
    sections => { "watcher:${title}" => $command + $options } + $variables,
  }
}
