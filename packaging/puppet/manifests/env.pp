# @summary Variables for several watchers, or for all
#
# It becomes `/etc/circus/conf.d/env-NAME.ini`. What all watchers get is weakest; of the others a
# later file goes before an earlier.
#
# @example
#   circus::env { 'proxy':
#     watchers  => ['web', 'api*'],
#     variables => { 'http_proxy' => 'http://proxy:3128' },
#   }
#
# @param variables
#   The variables.
# @param watchers
#   Names of watchers, with wildcards; all unless given.
# @param ensure
#   Whether there are such variables.
define circus::env (
  Circus::Options           $variables,
  Array[String[1]]          $watchers = [],
  Enum['present', 'absent'] $ensure   = 'present',
) {
  $section = $watchers.empty ? {
    true    => 'env',
    default => "env:${watchers.join(',')}",
  }

  circus::part { "env-${title}":
    ensure   => $ensure,
    sections => { $section => $variables },
  }
}
