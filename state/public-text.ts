// Free text on the chain is public and for good, so what looks like a person's data is refused before it gets there (docs/privacy.md). A guard against the hand that pastes a phone
// number into the reason of a closing day, not against somebody who means to publish one: no pattern can be. Fixed ranges only, nothing that depends on the Unicode version of the engine.
import { refine, type Schema, text } from '../primitives/schema.ts'

/** Full-width forms and the dashes, dots and spaces that people put between digits, as one spelling. */
function fold(value: string): string {
  return value.replace(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0)).replace(/(?<=\d)\s*[-.·/\u2010-\u2015]\s*(?=\d)|(?<=\d)\s+(?=\d)/g, '-')
}

/** Numbers of residents and foreigners: a date of birth, a digit for century and sex, six more. */
const residentNumber = /(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-?[1-8]\d{6}(?!\d)/
/** Mobile, land line and internet telephone, with or without +82. */
const phoneNumber = /(?<!\d)(?:\+?82-?0?|0)(?:1[016789]|2|[3-6]\d|70|80|50\d)-?\d{3,4}-?\d{4}(?!\d)/
/** Of bank cards and accounts: three groups or more, ten digits or more. */
const accountNumber = /(?<!\d)(?:\d-?){10,19}\d(?!\d)/
/** Dates are digits that mean nobody. */
const dates = /(?<!\d)(?:19|20)\d{2}-(?:1[0-2]|0?[1-9])-(?:3[01]|[12]\d|0?[1-9])(?!\d)/g
const mailAddress = /[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/i

const surnames = '김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국'
/** A surname and one or two syllables with the word that Koreans put behind a person's name. Words such as 선생님 and 고객님 are no names. */
const nameWithHonorific = new RegExp(`(?:^|[^\\uac00-\\ud7a3])(?:[${surnames}][\\uac00-\\ud7a3]{2}|남궁[\\uac00-\\ud7a3]{1,2}|황보[\\uac00-\\ud7a3]{1,2}|선우[\\uac00-\\ud7a3]{1,2})\\s?(?:씨|님|군|양)(?:$|[^\\uac00-\\ud7a3]|[이가은는을를과와의도께에])`)
const notNames = /(?:선생|고객|시민|주민|어르신|부모|담당자|이용자|신청자|참가자|수강생|강사|관리자|운영자|기사|위원|회원|조합원|임산부|장애인|유공자|공무원)\s?님/g
/** `이름: …`, `성명 …`. */
const namedField = /(?:이름|성명|성함)\s?[:은는=]?\s?[\uac00-\ud7a3]{2,4}(?:$|[^\uac00-\ud7a3])/

/** What in the text looks like a person's data, in words; undefined when nothing does. */
export function personalDataIn(value: string): string | undefined {
  const folded = fold(value)
  if (residentNumber.test(folded)) return 'a resident number'
  if (phoneNumber.test(folded)) return 'a phone number'
  if (accountNumber.test(folded.replace(dates, ' '))) return 'an account or card number'
  if (mailAddress.test(folded)) return 'a mail address'
  const others = folded.replace(notNames, ' ')
  if (nameWithHonorific.test(others) || namedField.test(others)) return 'the name of a person'
  return undefined
}

/** Text that is on the chain for everybody and for good. */
export function publicText(min: number, max: number): Schema<string> {
  return refine(text(min, max), (value) => {
    const found = personalDataIn(value)
    return found === undefined ? undefined : `text without what looks like ${found}: nothing of a person goes on the chain`
  })
}
