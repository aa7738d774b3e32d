"""What each code of a diagnostic means. A code is never used for anything else; docs/errors.md lists them.

E1.. reading YAML, E2.. the shape of a spec, E3.. names and catalogs, E4.. expressions, E5.. types,
E6.. accounting, E7.. order; W... warnings, by the same digits.
"""

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "E101": "A file cannot be read.",
    "E102": "A file is not UTF-8.",
    "E103": "A file is too large for what it is.",
    "E104": "A file is not YAML.",
    "E105": "A tab stands where YAML wants spaces.",
    "E106": "A key is written twice in one mapping.",
    "E107": "A YAML tag (`!!python/...`, `!x`): the schema says what a value is.",
    "E108": "An alias expands without end, or to far too much.",
    "E109": "A file holds more than one YAML document.",
    "E110": "A key is a list, a mapping or nothing.",
    "E111": "A YAML merge key (`<<`).",
    "E112": "Values are nested too deep.",
    "E113": "A file is empty.",
    "E114": "A text holds a zero byte, which PostgreSQL cannot.",
    "E201": "A key that the language does not know.",
    "E202": "A key is missing.",
    "E203": "A value of the wrong kind: a list for a text, a number for true or false.",
    "E204": "A value that is none of those allowed.",
    "E205": "A text that is not formed as it must be.",
    "E206": "Keys that do not go together.",
    "E207": "Something is said twice.",
    "E301": "A name that PostgreSQL cannot hold: empty, longer than 63 bytes, or with a zero byte.",
    "E302": "A catalog that is not as `transhume snapshot` writes it.",
    "E303": "A catalog is missing.",
    "E304": "A project is missing, or not where it is looked for.",
    "E305": "Two specs fill the same target table.",
    "E701": "Tables wait for each other in a circle of `after`.",
    "W301": "There is no catalog of the target; it is taken for empty.",
    "W302": "A YAML file in the project's folder that nothing reads.",
}
