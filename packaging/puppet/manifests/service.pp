# @summary The service, which is reloaded and never restarted
#
# Whether there is something to take in is asked of circusd, and not told by what changed in this
# run: one in which a file is refused does not reload, and what else it wrote is for the next.
#
# @api private
class circus::service {
  if $circus::manage_service {
    service { 'circus':
      ensure  => $circus::service_ensure,
      enable  => $circus::service_enable,
      restart => $circus::reload_command,
    }

    if $circus::service_ensure == 'running' {
      exec { $circus::reload_command:
        unless  => '/usr/bin/circusctl plan --detailed-exitcode',
        require => Service['circus'],
      }
    }
  }
}
