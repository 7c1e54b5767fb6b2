# @summary A configuration file, checked together with all others before it takes its place
#
# @param sections
#   The options of each section.
# @param ensure
#   Whether it is there.
# @param path
#   Where it is.
# @param mode
#   Who may read it: by default nobody else, as environments hold secrets.
#
# @api private
define circus::file (
  Hash[String[1], Circus::Options] $sections,
  Enum['present', 'absent']        $ensure = 'present',
  Pattern[/\A\/[^'\n]+\z/]         $path   = $title,
  String[1]                        $mode   = '0600',
) {
  $secret = $sections.any |$section| { $section[1].any |$option| { $option[1] =~ Sensitive } }
  $text = epp('circus/file.ini.epp', { 'sections' => $sections })

  file { $path:
    ensure       => $ensure,
    owner        => 'root',
    group        => 'root',
    mode         => $mode,
    content      => if $secret { Sensitive($text) } else { $text },
    validate_cmd => "/usr/bin/circusd --check /etc/circus/circus.ini --instead-of '${path}' %",
  }
}
