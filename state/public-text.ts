// Free text on the chain is public and for good, so what looks like a person's data is refused before it gets there (docs/privacy.md). A guard against the hand that pastes a phone
// number into the reason of a closing day, not against somebody who means to publish one: no pattern can be. Fixed ranges only, nothing that depends on the Unicode version of the engine.
import { refine, type Schema, text } from '../primitives/schema.ts'

/** What people put between the digits of a number. A comma counts where it does not part thousands. */
const separator = /(?<=\d)[-.·/_~()[\]{}|*+'"#:;,=\\\u2010-\u2015\u2022\u2025-\u2027\u3001\u3002\u301c\u30fc\s]{1,4}(?=\d)/g
/** The same for accounts, whose groups may be of any length: less, since lists of numbers have commas. */
const accountSeparator = /(?<=\d)\s*[-.·/\u2010-\u2015]\s*(?=\d)|(?<=\d)\s+(?=\d)/g
const digitNames = '공영〇零일一이二삼三사四오五육六칠七팔八구九'
const digitOfName: ReadonlyMap<string, string> = new Map([...Array.from(digitNames, (name, i) => [name, String(i < 4 ? 0 : (i >> 1) - 1)] as const), ['륙', '6']])
/** Three digits or more, read out one by one: 공일공. */
const spokenDigits = new RegExp(`[${digitNames}륙](?:[-.\\s]?[${digitNames}륙]){2,}`, 'g')
const thousands = /(?<!\d)[1-9]\d{0,2}(?:,\d{3})+(?!\d)/g
/** Times and dates are digits that mean nobody. */
const times = /(?<!\d)(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?!\d)/g
const dates = /(?<!\d)(?:19|20)\d{2}-(?:1[0-2]|0?[1-9])-(?:3[01]|[12]\d|0?[1-9])(?!\d)/g
const singleDigits = /(?<!\d)\d(?:-\d(?!\d))+/g

/** Full-width forms and superscripts in ASCII. */
function plain(value: string): string {
  return value.replace(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0)).replace(/[¹²³]/g, (char) => (char === '¹' ? '1' : char === '²' ? '2' : '3'))
}

/** Digits as digits, however they are written, and one spelling for what stands between them. */
function numbersIn(value: string): string {
  return value
    .replace(spokenDigits, (run) => run.replace(/[^-.\s]/g, (char) => digitOfName.get(char) ?? char))
    .replace(/(?<=\d)[oO]|[oO](?=\d)/g, '0')
    .replace(thousands, ' n ')
    .replace(times, ' t ')
    .replace(separator, '-')
    .replace(singleDigits, (run) => run.replaceAll('-', ''))
}

/** Numbers of residents and foreigners: a date of birth, a digit for century and sex, six more, or less when they are masked. */
const residentNumber = /(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-?[1-8]\d{6}(?!\d)/
const maskedResidentNumber = /(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s?-?\s?[1-8][*xX#]{3,}/
/** Mobile, land line and internet telephone, with or without +82. */
const phoneNumber = /(?<!\d)(?:(?:\+|00\d{0,3}-?)?82-?(?:0-?)?|0)(?:1[016789]|2|[3-6]\d|70|80|50\d)-?\d{3,4}-?\d{4}(?!\d)/
/** Of bank cards and accounts: three groups or more, ten digits or more. */
const accountNumber = /(?<!\d)(?:\d-?){10,19}\d(?!\d)/
const mailAddress = /[a-z0-9._%+-]+\s?(?:@|\(at\)|\[at\]|골뱅이)\s?[a-z0-9-]+(?:\.[a-z0-9-]+)+/i

const surnames = '김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국'
const doubleSurnames = '남궁|황보|선우|제갈'
/** A surname and one or two syllables with the word that Koreans put behind a person's name. Words such as 선생님 and 고객님 are no names. */
const nameWithHonorific = new RegExp(`(?:^|[^\\uac00-\\ud7a3])(?:[${surnames}][\\uac00-\\ud7a3]{2}|(?:${doubleSurnames})[\\uac00-\\ud7a3]{1,2})\\s?(?:씨|님|군|양)(?:$|[^\\uac00-\\ud7a3]|[이가은는을를과와의도께에])`)
const notNames = /(?:선생|고객|시민|주민|어르신|부모|담당자|이용자|신청자|참가자|수강생|강사|관리자|운영자|기사|위원|회원|조합원|임산부|장애인|유공자|공무원)\s?님/g
/** Given names that many bear and that make no other word together with a surname: of those, a name by itself is found. */
const givenNames =
  '영호|영철|영식|영숙|영희|순자|정숙|정희|정순|춘자|명숙|명희|미숙|미경|미영|은영|은주|은정|은경|은희|은지|은서|현정|현주|현숙|현우|현준|지영|지은|지현|지혜|지훈|지후|지우|지민|지연|성호|성민|성진|성훈|성현|상훈|상현|상철|정훈|정호|정민|정우|동현|동훈|민준|민재|민서|민지|민정|민호|민우|준호|준영|준혁|재현|재훈|재민|우진|도윤|도현|서준|서연|서현|서윤|서영|하준|하윤|하은|예준|예은|예진|시우|건우|유진|수빈|수진|수민|수연|수현|혜진|혜정|혜영|혜경|소영|소연|채원|길동|철수|진우|진호|진영|태현|태호|승현|승민|승우|병철|경희|경숙|옥순|말순|순옥|선영|선희|윤서|가은|다은|나연'
const frequentName = new RegExp(`(?:^|[^\\uac00-\\ud7a3])(?:[${surnames}]|${doubleSurnames})(?:${givenNames})(?=$|[^\\uac00-\\ud7a3]|(?:이|가|은|는|을|를|과|와|의|도|께|에게|한테|씨|님)(?:$|[^\\uac00-\\ud7a3]))`)
/** `이름: …`, `성명 …`. */
const namedField = /(?:이름|성명|성함)\s?[:은는=]?\s?[\uac00-\ud7a3]{2,4}(?:$|[^\uac00-\ud7a3])|\b(?:full )?name\s?[:=]\s?[a-z\uac00-\ud7a3]/i
const latinTitle = /\b(?:Mr|Mrs|Ms|Dr|Prof)\.? [A-Z][a-z]/
const latinSurnames = new Set('kim lee yi rhee park choi jung jeong chung kang cho yoon yun jang chang lim im han oh seo suh shin kwon hwang ahn an song ryu yoo hong ko moon yang son bae baek heo hur nam noh ha kwak'.split(' '))
const latinSyllable = /^(?:[bcdghjkmnpstwy]|ch|sh|[bghkmnp]y)?(?:ae|eo|eui|eu|oo|ee|ui|w[aeio]|yae|yeo|yoo|y[aeou]|[aeiou])(?:ng|[nklmprh])?$/
const latinOrders = [/\b([A-Z][a-z]+),? ([A-Z][a-z]*)-([A-Za-z][a-z]*)\b/g, /\b(?=[A-Za-z-]+,? ([A-Z][a-z]+)\b)([A-Z][a-z]*)-([A-Za-z][a-z]*)\b/g] as const

/** Hong Gil-dong, or Gil-dong Hong: a surname beside two syllables as Korean ones are spelled in Latin letters. Pop-up is none. */
function hasLatinName(text: string): boolean {
  return latinOrders.some((order) => [...text.matchAll(order)].some(([, surname = '', one = '', two = '']) => latinSurnames.has(surname.toLowerCase()) && [one, two].every((part) => latinSyllable.test(part.toLowerCase())) && two.toLowerCase() !== 'up'))
}

/** What in the text looks like a person's data, in words; undefined when nothing does. */
export function personalDataIn(value: string): string | undefined {
  const text = plain(value)
  const numbers = numbersIn(text)
  if (residentNumber.test(numbers) || maskedResidentNumber.test(text)) return 'a resident number'
  if (phoneNumber.test(numbers)) return 'a phone number'
  if (accountNumber.test(text.replace(times, ' t ').replace(accountSeparator, '-').replace(dates, ' '))) return 'an account or card number'
  if (mailAddress.test(text)) return 'a mail address'
  const others = text.replace(notNames, ' ')
  if (nameWithHonorific.test(others) || frequentName.test(others) || namedField.test(others) || latinTitle.test(others) || hasLatinName(others)) return 'the name of a person'
  return undefined
}

export function refusalOf(found: string): string {
  return `without what looks like ${found}: nothing of a person goes on the chain`
}

/** Narrows a schema to what has no personal data. */
export function ofNobody(base: Schema<string>): Schema<string> {
  return refine(base, (value) => {
    const found = personalDataIn(value)
    return found === undefined ? undefined : `text ${refusalOf(found)}`
  })
}

/** Text that is on the chain for everybody and for good. */
export function publicText(min: number, max: number): Schema<string> {
  return ofNobody(text(min, max))
}

const writtenResidentNumber = /(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[-._][1-8]\d{6}(?!\d)/
const writtenMobileNumber = /(?<!\d)01[016789][-._]\d{3,4}[-._]\d{4}(?!\d)/

/** A name for machines that its sender makes up. An order number may be any digits, but none that are written as a resident or mobile phone number is. */
export function madeUpName(base: Schema<string>): Schema<string> {
  return refine(base, (value) => {
    const found = writtenResidentNumber.test(value) ? 'a resident number' : writtenMobileNumber.test(value) ? 'a phone number' : undefined
    return found === undefined ? undefined : `a name ${refusalOf(found)}`
  })
}
