# @summary Circus, a process and socket manager: its package, configuration and service
#
# Each file is checked by circusd, together with all others, before it replaces anything. What
# changed is taken in by a reload: circusd goes on, and so do the workers that nothing changed for.
#
# @example A watcher, and nothing that Puppet does not know of
#   class { 'circus':
#     purge_conf_d => true,
#     watchers     => {
#       'web' => { 'cmd' => '/usr/bin/web --port 8080', 'options' => { 'uid' => 'www-data' } },
#     },
#   }
#
# @param manage_package
#   Whether the packages are Puppet's to install.
# @param package_ensure
#   What a package resource takes: `installed`, `latest`, a version.
# @param package_names
#   The packages, in the order in which they are installed.
# @param package_sources
#   For packages that no repository has: the .deb file of each, on the node. With a source,
#   `latest` and versions are compared with what is in it.
# @param manage_service
#   Whether the service is Puppet's to start and to reload.
# @param service_ensure
#   Whether it runs.
# @param service_enable
#   Whether it starts at boot.
# @param reload_command
#   What makes circusd read its files again. This one ends with an error when they are refused, and
#   replaces only workers that something changed for; `systemctl reload circus` replaces all.
# @param options
#   Options of `[circus]`, beside `include_dir`. `strict` makes errors of misspelt options.
# @param purge_conf_d
#   Whether files in conf.d that Puppet does not manage are removed; their watchers stop.
# @param watchers
#   Watchers to declare, as a hash of `circus::watcher`.
# @param sockets
#   Sockets to declare, as a hash of `circus::socket`.
# @param plugins
#   Plugins to declare, as a hash of `circus::plugin`.
# @param envs
#   Variables to declare, as a hash of `circus::env`.
class circus (
  Boolean                          $manage_package  = true,
  String[1]                        $package_ensure  = 'installed',
  Array[String[1]]                 $package_names   = ['python3-circus', 'circus'],
  Hash[String[1], Pattern[/\A\//]] $package_sources = {},
  Boolean                          $manage_service  = true,
  Enum['running', 'stopped']       $service_ensure  = 'running',
  Boolean                          $service_enable  = true,
  String[1]                        $reload_command  = '/usr/bin/circusctl reloadconfig --waiting',
  Circus::Options                  $options         = {
    'strict'         => true,
    'operate_groups' => 'circus',
  },
  Boolean                          $purge_conf_d    = false,
  Hash[Circus::Name, Hash]         $watchers        = {},
  Hash[Circus::Name, Hash]         $sockets         = {},
  Hash[Circus::Name, Hash]         $plugins         = {},
  Hash[Circus::Name, Hash]         $envs            = {},
) {
  contain circus::install
  contain circus::config
  contain circus::service

  Class['circus::install'] -> Class['circus::config'] -> Class['circus::service']
  # a file that names what no other file declares is refused
  Circus::Socket <| |> -> Circus::Watcher <| |> -> Circus::Env <| |>

  create_resources('circus::watcher', $watchers)
  create_resources('circus::socket', $sockets)
  create_resources('circus::plugin', $plugins)
  create_resources('circus::env', $envs)
}
