# @summary A value as circusd reads it back
#
# A value ends with its line, and at a semicolon after a blank if that is the first.
type Circus::Text = Pattern[/\A[^;\n]*\z/, /\A[^;\n]*[^;\s];[^\n]*\z/]
