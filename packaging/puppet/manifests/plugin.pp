# @summary A plugin of circusd
#
# It becomes `/etc/circus/conf.d/plugin-NAME.ini`.
#
# @example
#   circus::plugin { 'statsd':
#     use     => 'circus.plugins.statsd.FullStats',
#     options => { 'host' => 'localhost', 'application_name' => 'shop' },
#   }
#
# @param use
#   The dotted name of its class.
# @param options
#   Its other options.
# @param ensure
#   Whether there is such a plugin.
define circus::plugin (
  Circus::Text              $use,
  Circus::Options           $options = {},
  Enum['present', 'absent'] $ensure  = 'present',
) {
  circus::part { "plugin-${title}":
    ensure   => $ensure,
    sections => { "plugin:${title}" => { 'use' => $use } + $options },
  }
}
