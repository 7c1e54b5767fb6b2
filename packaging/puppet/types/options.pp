# @summary The options of one section, or its variables; lists are written with commas
type Circus::Options = Hash[
  Pattern[/\A[^\s=:\[#;]+\z/],
  Variant[
    Boolean, Numeric, Circus::Text, Sensitive[Circus::Text], Array[Variant[Numeric, Circus::Text]]
  ]
]
