# @summary A file in conf.d
#
# It comes after the files that are there for all, and before circusd is asked to take it in.
#
# @param sections
#   The options of each section.
# @param ensure
#   Whether it is there.
# @param filename
#   Its name in conf.d, without `.ini`. Files are read in the order of their names.
#
# @api private
define circus::part (
  Hash[String[1], Circus::Options] $sections,
  Enum['present', 'absent']        $ensure   = 'present',
  Circus::Name                     $filename = $title,
) {
  include circus

  circus::file { "/etc/circus/conf.d/${filename}.ini":
    ensure   => $ensure,
    sections => $sections,
    require  => Class['circus::config'],
    before   => Class['circus::service'],
  }
}
