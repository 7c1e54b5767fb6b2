# @summary The service, which is reloaded and never restarted
#
# @api private
class circus::service {
  if $circus::manage_service {
    service { 'circus':
      ensure  => $circus::service_ensure,
      enable  => $circus::service_enable,
      restart => $circus::reload_command,
    }
  }
}
