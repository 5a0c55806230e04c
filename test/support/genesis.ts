// A small genesis for tests: a preset with one living area, and keys that follow from names.
import type { NodeCard, OfficeCard } from '../../genesis/card.ts'
import { buildGenesis, type Participants } from '../../genesis/ceremony.ts'
import type { Genesis } from '../../genesis/genesis.ts'
import type { Preset } from '../../genesis/presets/preset.ts'
import type { Signer } from '../../node/world.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'

export function seedOf(name: string): Uint8Array {
  return sha256(utf8(`test seed of ${name}`))
}

export function publicKeyOf(name: string): Uint8Array {
  return keyPairFromSeed(seedOf(name)).publicKey
}

export function signerOf(name: string): Signer {
  const pair = keyPairFromSeed(seedOf(name))
  return { publicKey: pair.publicKey, sign: (message) => sign(message, pair) }
}

export const smallPreset: Preset = {
  name: 'small',
  organisations: [
    { id: 'busan', title: { ko: '부산광역시', en: 'City of Busan' } },
    { id: 'bnk', title: { ko: 'BNK부산은행', en: 'BNK Busan Bank' } },
  ],
  minimums: [
    { organisation: 'busan', minimum: 1 },
    { organisation: 'bnk', minimum: 1 },
  ],
  consensus: {
    window: 64,
    pipelineDepth: 4,
    checkpointInterval: 16,
    viewTimeoutMs: 1_000,
    viewTimeoutMaxMs: 8_000,
    retransmitMs: 300,
    heartbeatMs: 5_000,
    checkpointIdleMs: 200,
    maxClockDriftMs: 2_000,
    inclusionTimeoutMs: 5_000,
    transactionsMax: 4_000,
    bytesMax: 4_194_304,
  },
  parameters: { transactionValidityMsMax: 1_800_000, recoveryWaitMs: 86_400_000 },
  offices: [
    { id: 'governor-busan', title: { ko: '위원', en: 'governor' }, roles: [{ role: 'governor', scope: 'busan' }] },
    { id: 'governor-bnk', title: { ko: '위원', en: 'governor' }, roles: [{ role: 'governor', scope: 'bnk' }] },
    { id: 'registrar', title: { ko: '등록', en: 'registrar' }, roles: [{ role: 'registrar', scope: '*' }] },
    { id: 'issuer', title: { ko: '발급', en: 'issuer' }, roles: [{ role: 'issuer', scope: '*' }] },
    { id: 'officer', title: { ko: '담당', en: 'officer' }, roles: [{ role: 'officer', scope: '*' }] },
    { id: 'settler', title: { ko: '정산', en: 'settler' }, roles: [{ role: 'settler', scope: '*' }] },
    { id: 'operator', title: { ko: '운영', en: 'operator' }, roles: [{ role: 'operator', scope: '*' }] },
    { id: 'moderator', title: { ko: '게시판', en: 'moderator' }, roles: [{ role: 'moderator', scope: '*' }] },
    { id: 'bookshop', title: { ko: '책방', en: 'bookshop' }, roles: [], merchant: { category: 'bookshop' } },
  ],
  livingAreas: [
    {
      id: 'bosu',
      name: { ko: '보수', en: 'Bosu' },
      district: { ko: '중구', en: 'Jung-gu' },
      centre: { longitude: 129_027_000, latitude: 35_104_000 },
      polygon: [
        { longitude: 129_020_000, latitude: 35_100_000 },
        { longitude: 129_034_000, latitude: 35_100_000 },
        { longitude: 129_034_000, latitude: 35_108_000 },
        { longitude: 129_020_000, latitude: 35_108_000 },
      ],
    },
  ],
  facilities: [{ id: 'bosu-library', livingArea: 'bosu', category: 'library', title: { ko: '보수도서관' }, position: { longitude: 129_027_000, latitude: 35_104_000 } }],
  programs: () => [],
}

/** `validators` names with their organisations, alternating unless given. */
export function nodeCards(count: number, observers = 0): readonly NodeCard[] {
  const validators = Array.from({ length: count }, (_, i) => ({ name: `${i % 2 === 0 ? 'busan' : 'bnk'}-${Math.floor(i / 2) + 1}`, organisation: i % 2 === 0 ? 'busan' : 'bnk' }))
  return [
    ...validators.map(({ name, organisation }, i) => ({ name, organisation, publicKey: publicKeyOf(name), addresses: [`127.0.0.1:${20_000 + i}`] })),
    ...Array.from({ length: observers }, (_, i) => ({ name: `observer-${i + 1}`, publicKey: publicKeyOf(`observer-${i + 1}`), addresses: [] })),
  ]
}

export const officeCards: readonly OfficeCard[] = smallPreset.offices.map(({ id }) => ({ office: id, publicKey: publicKeyOf(id) }))

export function testGenesis(changes: Partial<Participants> = {}): Genesis {
  return buildGenesis(smallPreset, { name: 'test', timeMs: 1_778_716_800_000, nodes: nodeCards(4, 1), offices: officeCards, ...changes })
}
