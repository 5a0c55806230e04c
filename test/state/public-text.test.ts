// No person on the chain: what looks like a resident number, a phone number, an account, a mail address or a name does not get into free text, nor into any field of any kind that has some.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { encode } from '../../primitives/codec.ts'
import type { Json, JsonObject, Schema } from '../../primitives/schema.ts'
import { payloadSchemas } from '../../rpc/client/index.ts'
import { didService, httpsUrl } from '../../state/did/types.ts'
import { paymentReference, reason, saleReference } from '../../state/points/types.ts'
import { madeUpName, personalDataIn, publicText } from '../../state/public-text.ts'
import { slug, text as plainText } from '../../primitives/schema.ts'

const refused: readonly (readonly [string, string])[] = [
  ['900101-1234567', 'a resident number'],
  ['9001011234567', 'a resident number'],
  ['번호는 900101 – 5234567 입니다', 'a resident number'],
  ['９００１０１－１２３４５６７', 'a resident number'],
  ['010-1234-5678', 'a phone number'],
  ['01012345678', 'a phone number'],
  ['문의 010.1234.5678', 'a phone number'],
  ['call +82 10 1234 5678', 'a phone number'],
  ['+821012345678', 'a phone number'],
  ['051-123-4567', 'a phone number'],
  ['02 123 4567', 'a phone number'],
  ['070-1234-5678', 'a phone number'],
  ['110-234-567890', 'an account or card number'],
  ['4111 1111 1111 1111', 'an account or card number'],
  ['hong@example.org', 'a mail address'],
  ['홍길동님의 요청', 'the name of a person'],
  ['김동백 씨가 취소', 'the name of a person'],
  ['(이영희님)', 'the name of a person'],
  ['남궁민수님', 'the name of a person'],
  ['성명: 홍길동', 'the name of a person'],
  ['051)123-4567', 'a phone number'],
  ['(02) 123-4567', 'a phone number'],
  ['010) 1234 - 5678', 'a phone number'],
  ['010_1234_5678', 'a phone number'],
  ['010,1234,5678', 'a phone number'],
  ['010~1234~5678', 'a phone number'],
  ['010--1234--5678', 'a phone number'],
  ['010・1234・5678'.replaceAll('・', '·'), 'a phone number'],
  ['010ー1234ー5678', 'a phone number'],
  ['０１０（１２３４）５６７８', 'a phone number'],
  ['０１０，１２３４，５６７８', 'a phone number'],
  ['+82-(0)10-1234-5678', 'a phone number'],
  ['0082 10 1234 5678', 'a phone number'],
  ['0 1 0 1 2 3 4 5 6 7 8', 'a phone number'],
  ['0.2.1.2.3.4.5.6.7', 'a phone number'],
  ['O1O-1234-5678', 'a phone number'],
  ['공일공 일이삼사 오육칠팔', 'a phone number'],
  ['공일공-1234-5678', 'a phone number'],
  ['〇一〇一二三四五六七八', 'a phone number'],
  ['0¹0-1²³4-5678', 'a phone number'],
  ['900101_1234567', 'a resident number'],
  ['900101 : 1234567', 'a resident number'],
  ['(900101)1234567', 'a resident number'],
  ['9 0 0 1 0 1 1 2 3 4 5 6 7', 'a resident number'],
  ['구공공일공일 일이삼사오육칠', 'a resident number'],
  ['900101-1******', 'a resident number'],
  ['hong ＠ example.org', 'a mail address'],
  ['hong(at)example.org', 'a mail address'],
  ['hong 골뱅이 example.org', 'a mail address'],
  ['김민준', 'the name of a person'],
  ['이서연이 자리를 비움', 'the name of a person'],
  ['예약자 박지훈, 취소', 'the name of a person'],
  ['남궁민준은', 'the name of a person'],
  ['Name: Hong', 'the name of a person'],
  ['asked by Mr. Hong', 'the name of a person'],
  ['Hong Gil-dong', 'the name of a person'],
  ['Kim, Min-jun', 'the name of a person'],
  ['class of Seo-yeon Lee', 'the name of a person'],
]

const allowed: readonly string[] = [
  '수영장 정기 점검으로 하루 쉽니다',
  '2026-11-24 18:00 – 20:00',
  '2026-11-24 – 2026-12-03',
  '2026.11.24-2026.12.03 10:00',
  '2026년 11월 24일부터 12월 3일까지',
  '우천으로 인한 취소, 포인트는 모두 돌려드립니다',
  '선생님과 함께하는 도예 교실',
  '고객님께 알립니다',
  '부산시민공원 다솜관 3층 301호',
  '정원 1,200명, 41,200,000,000원',
  '제2026-0115호',
  'Youth culture pass 2026',
  '다자녀 가정 교육지원 포인트',
  '강의실 2, 세미나실 10',
  '화·목 10:00~12:00, 14:00~16:00 (주 2회)',
  '2026.11.24(화) 18:02 2026-2030 계획',
  '정원 20(예비 5), 301호(3층)',
  '1,2,3,4,5,6,7,8,9,10,11,12회차',
  '대표전화 1588-1234',
  '선정자 지정자 예정자 명단, 국영수 보충, 구지원 사업, 주민수 기준, 기준서 개정, 한아름 축제',
  '조성현황 사용현황 주민정보 이민정책 주민준비 전지훈련',
  '서예반 강사 모집, 담당: 문화과',
  'Pop-up Store at the Park, Walk-in, an Add-on Course',
  'Haeundae-gu, Suyeong-ro 12',
  '이사오세요, 일이삼층',
]

t.test('what looks like a person is refused, with what it looks like', (t) => {
  for (const [text, what] of refused) {
    t.equal(personalDataIn(text), what, text)
    t.throws(() => encode(publicText(1, 200), text), { code: 'codec/invalid' }, text)
  }
  t.end()
})

t.test('what the city writes about its facilities and funds passes', (t) => {
  for (const text of allowed) t.equal(personalDataIn(text), undefined, text)
  t.end()
})

t.test('every phone and resident number is found, whatever stands between its digits and around it', (t) => {
  const between = fc.constantFrom('', '-', ' ', '.', ' - ', '–', '/', ')', ') ', '_', '~', ', ', '--', '：')
  const digits = (count: number): fc.Arbitrary<string> => fc.array(fc.nat(9), { minLength: count, maxLength: count }).map((list) => list.join(''))
  const words = fc.constantFrom('', '문의 ', '(', '취소: ', 'tel ')
  fc.assert(fc.property(words, between, between, fc.constantFrom('010', '011', '016', '051', '02', '070'), digits(4), digits(4), (word, one, two, area, middle, end) => personalDataIn(`${word}${area}${one}${middle}${two}${end}`) !== undefined), { numRuns: 2_000 })
  const birth = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 })).map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(''))
  fc.assert(fc.property(words, birth, between, fc.integer({ min: 1, max: 8 }), digits(6), (word, date, one, sex, rest) => personalDataIn(`${word}${date}${one}${sex}${rest}`) !== undefined), { numRuns: 2_000 })
  t.pass('found')
  t.end()
})

/** Where a payload has text that no pattern narrows: `a.b`, `[]` for the items of a list. */
function textsIn(schema: JsonObject, path = ''): readonly string[] {
  const { type, properties, items, oneOf } = schema as { readonly type?: string; readonly properties?: Readonly<Record<string, JsonObject>>; readonly items?: JsonObject; readonly oneOf?: readonly JsonObject[] }
  if (oneOf !== undefined) return oneOf.flatMap((variant) => textsIn(variant, path))
  if (type === 'array') return textsIn(items as JsonObject, `${path}[]`)
  if (properties !== undefined) return Object.entries(properties).flatMap(([name, field]) => textsIn(field, path === '' ? name : `${path}.${name}`))
  return type === 'string' && !['pattern', 'enum', 'contentEncoding'].some((key) => key in schema) ? [path] : []
}

/** Copies of the JSON with `value` at every place of this path whose parent is there. */
function withTextAt(json: Json, path: readonly string[], value: string): readonly Json[] {
  const [step, ...rest] = path
  if (step === undefined) return [value]
  if (step === '[]') return Array.isArray(json) ? (json as readonly Json[]).flatMap((item, i) => withTextAt(item, rest, value).map((changed) => (json as readonly Json[]).with(i, changed))) : []
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return []
  const object = json as JsonObject
  return rest.length > 0 && object[step] === undefined ? [] : withTextAt(object[step] ?? null, rest, value).map((changed) => ({ ...object, [step]: changed }))
}

t.test('no text of any kind of transaction takes a number, an address or a name, however deep it stands', (t) => {
  const services = [{ id: 'home', type: 'LinkedDomains', endpoint: 'https://busan.example' }]
  // what the vectors leave out
  const more: Readonly<Record<string, JsonObject>> = { 'did.register': { services }, 'did.requestRecovery': { services }, 'reservation.openTimetable': { course: { id: 'pottery', title: { ko: '도예', en: 'Pottery' }, perPersonMax: 1 } } }
  const vectors = ['identity', 'points', 'places', 'governance'].flatMap((name) => (JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as { readonly transactions: readonly { readonly kind: string; readonly payloadJson: JsonObject }[] }).transactions)
  const examples = vectors.map(({ kind, payloadJson }) => ({ kind, payloadJson: { ...payloadJson, ...more[kind] } }))
  const url = (of: string): string => `https://busan.example/${encodeURIComponent(of)}`
  const seen: string[] = []
  for (const [kind, schema] of Object.entries(payloadSchemas) as [string, Schema<unknown>][]) {
    for (const path of textsIn(schema.jsonSchema)) {
      const steps = path.replaceAll('[]', '.[]').split('.').filter((step) => step !== '')
      const payloads = (value: string): readonly Json[] => examples.filter((one) => one.kind === kind).flatMap(({ payloadJson }) => withTextAt(payloadJson, steps, value))
      const takes = (json: Json): boolean => {
        try {
          return schema.fromJson(json, '') !== undefined
        } catch {
          return false
        }
      }
      const form = payloads('동백꽃').some(takes) ? (of: string): string => of : url
      t.ok(payloads(form('동백꽃')).some(takes), `${kind} ${path} can be written`)
      for (const [bad] of refused) if (payloads(form(bad)).some(takes)) t.fail(`${kind} ${path}: ${bad}`)
      seen.push(`${kind} ${path}`)
    }
  }
  t.ok(seen.length >= 20, seen.join(', '))
  for (const some of ['did.register services[].endpoint', 'community.hide reason.text', 'reservation.closeDays reason', 'credential.registerIssuer name']) t.ok(seen.includes(some), some)
  t.end()
})

t.test('characters that cannot be seen, and digits of other scripts, are no text', (t) => {
  for (const bad of ['010\u200b-1234-5678', '010\u200d1234\u20605678', '010\u00ad12345678', '홍\u200c길동님', '010\u31641234', '010\u30001234', '010\u00a01234', '\u0660\u0661\u0660', '\u{1d7ce}\u{1d7cf}', '①②③', '010\u20121234\ufeff'.normalize('NFD'), '홍길동'.normalize('NFD')]) t.throws(() => encode(plainText(1, 200), bad), { code: 'codec/invalid' }, JSON.stringify(bad))
  t.end()
})

t.test('what senders name by themselves is not written as a number of a person', (t) => {
  const service = { id: 'home', type: 'LinkedDomains', endpoint: 'https://busan.example' }
  t.doesNotThrow(() => encode(didService, service))
  for (const change of [{ id: 'a01012345678' }, { id: 'tel-010-1234-5678' }, { type: 'Tel01012345678' }, { type: 'Id9001011234567' }]) t.throws(() => encode(didService, { ...service, ...change }), { code: 'codec/invalid' }, JSON.stringify(change))
  for (const schema of [paymentReference, saleReference, reason, madeUpName(slug)]) {
    for (const bad of ['010-1234-5678', 'a-016-123-4567', '900101-1234567', 'sale-900101-5234567']) t.throws(() => encode(schema, bad), { code: 'codec/invalid' }, bad)
    for (const good of ['20261124-1000001', '01012345678', 'order-2026-1234-5678', '9001011234567', '901301-1234567']) t.doesNotThrow(() => encode(schema, good), good)
  }
  for (const bad of ['010.1234.5678', '900101_1234567']) t.throws(() => encode(saleReference, bad), { code: 'codec/invalid' }, bad)
  t.end()
})

t.test('the address of a service or schema says nothing of a person either', (t) => {
  const path = (text: string): string => `https://busan.example/${encodeURIComponent(text)}`
  for (const [text] of refused) t.throws(() => encode(httpsUrl, path(text)), { code: 'codec/invalid' }, text)
  for (const url of ['https://01012345678.example', 'https://busan.example/call/010/1234/5678', 'https://busan.example/900101-1234567/', 'https://hong@busan.example/', 'https://busan.example/?name=hong', 'https://busan.example/%ED%99', 'http://busan.example/'])
    t.throws(() => encode(httpsUrl, url), { code: 'codec/invalid' }, url)
  for (const url of ['https://busan.example', 'https://busan.example:8443/schemas/card-2026.json#v1', path('부산시민카드'), 'https://10.0.0.1/identity/2026-11-24']) t.doesNotThrow(() => encode(httpsUrl, url), url)
  t.end()
})
