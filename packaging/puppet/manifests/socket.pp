# @summary A socket that circusd holds for workers
#
# It becomes `/etc/circus/conf.d/socket-NAME.ini`, before any watcher that may use it.
#
# @example
#   circus::socket { 'web':
#     options => { 'path' => '/run/circus/web', 'umask' => '007' },
#   }
#
# @param options
#   Options of `[socket:NAME]`.
# @param ensure
#   Whether there is such a socket.
define circus::socket (
  Circus::Options           $options,
  Enum['present', 'absent'] $ensure = 'present',
) {
  circus::part { "socket-${title}":
    ensure   => $ensure,
    sections => { "socket:${title}" => $options },
  }
}
