# @summary What can be the name of a section, and of the file that it is in
type Circus::Name = Pattern[/\A[\w+@-][\w+@. -]*\z/]
