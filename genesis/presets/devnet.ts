// Busan's preset with a few merchants of our invention, so that launch day can be played. On a real network officers register merchants by transaction.
import { busan } from './busan.ts'
import type { Office, Preset } from './preset.ts'

// All invented, and placed in living areas that fit.
const merchants: readonly Office[] = [
  { id: 'bookshop', title: { ko: '보수동 책방', en: 'a bookshop in Bosu-dong' }, roles: [], merchant: { category: 'bookshop', livingArea: 'nampo' } },
  { id: 'stationer', title: { ko: '서면 문구점', en: 'a stationer in Seomyeon' }, roles: [], merchant: { category: 'stationer', livingArea: 'bujeon' } },
  { id: 'bar', title: { ko: '광안리 주점', en: 'a bar in Gwangalli' }, roles: [], merchant: { category: 'bar', livingArea: 'gwangan' } },
  { id: 'theatre', title: { ko: '대연동 소극장', en: 'a small theatre in Daeyeon-dong' }, roles: [], merchant: { category: 'performance', livingArea: 'daeyeon' } },
]

export const devnet: Preset = { ...busan, name: 'devnet', offices: [...busan.offices, ...merchants] }
