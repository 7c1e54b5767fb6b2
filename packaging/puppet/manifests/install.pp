# @summary The packages
#
# @api private
class circus::install {
  if $circus::manage_package {
    $circus::package_names.each |$name| {
      package { $name:
        ensure => $circus::package_ensure,
        source => $circus::package_sources[$name],
      }
    }
  }
}
