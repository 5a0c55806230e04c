// No person on the chain: what looks like a resident number, a phone number, an account, a mail address or a name does not get into free text.
import fc from 'fast-check'
import t from 'tap'
import { encode } from '../../primitives/codec.ts'
import { httpsUrl } from '../../state/did/types.ts'
import { personalDataIn, publicText } from '../../state/public-text.ts'

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
  const between = fc.constantFrom('', '-', ' ', '.', ' - ', '–', '/')
  const digits = (count: number): fc.Arbitrary<string> => fc.array(fc.nat(9), { minLength: count, maxLength: count }).map((list) => list.join(''))
  const words = fc.constantFrom('', '문의 ', '(', '취소: ', 'tel ')
  fc.assert(fc.property(words, between, between, fc.constantFrom('010', '011', '016', '051', '02', '070'), digits(4), digits(4), (word, one, two, area, middle, end) => personalDataIn(`${word}${area}${one}${middle}${two}${end}`) !== undefined), { numRuns: 2_000 })
  const birth = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 })).map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(''))
  fc.assert(fc.property(words, birth, between, fc.integer({ min: 1, max: 8 }), digits(6), (word, date, one, sex, rest) => personalDataIn(`${word}${date}${one}${sex}${rest}`) !== undefined), { numRuns: 2_000 })
  t.pass('found')
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
