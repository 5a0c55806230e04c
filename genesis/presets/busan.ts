// Busan's network: the city and the BNK bank group run the validators, the city's offices hold the roles. What is reported and what is
// assumed is said at each figure; living areas, facilities and programmes say so in their own files.
import { blockBytesMax } from '../../primitives/limits.ts'
import { everyScope } from '../../state/roles.ts'
import { multiChild, youthCulturePass } from './busan-programs.ts'
import { facilities } from './facilities.ts'
import { livingAreas } from './living-areas.ts'
import type { Preset } from './preset.ts'

const minuteMs = 60_000

export const busan: Preset = {
  name: 'busan',
  // Reported: the city with BNK Busan Bank (city announcement, 14 May 2024).
  organisations: [
    { id: 'busan', title: { ko: '부산광역시', en: 'City of Busan' } },
    { id: 'bnk', title: { ko: 'BNK부산은행', en: 'BNK Busan Bank' } },
  ],
  // Assumption. One of each means that neither alone makes history, and that one dead node of two stops nothing. Two of two would keep history
  // safe even with every key of the other side stolen, but any single dead node would halt the chain: for that, run four or more a side.
  minimums: [
    { organisation: 'busan', minimum: 1 },
    { organisation: 'bnk', minimum: 1 },
  ],
  // Assumptions: measured on one machine, generous for validators within one city.
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
    // A block is executed in one go on the thread that votes: a thousand transactions keep that well below a view timeout.
    transactionsMax: 1_000,
    bytesMax: blockBytesMax,
  },
  // Assumption: a phone without network for a while may still send what was signed a quarter of an hour ago.
  // Assumption: a week is time enough to notice that somebody else asks for one's DID.
  parameters: { transactionValidityMsMax: 30 * minuteMs, recoveryWaitMs: 7 * 24 * 60 * minuteMs },
  // Assumptions all: which office does what is the city's to say, and governance's to change.
  offices: [
    { id: 'governor-busan', title: { ko: '부산시 거버넌스 위원', en: 'governor for the city' }, organisation: 'busan', roles: [{ role: 'governor', scope: 'busan' }] },
    { id: 'governor-bnk', title: { ko: 'BNK 거버넌스 위원', en: 'governor for the bank' }, organisation: 'bnk', roles: [{ role: 'governor', scope: 'bnk' }] },
    { id: 'registrar', title: { ko: '시민증 등록 담당', en: 'registrar of digital citizenship' }, organisation: 'busan', roles: [{ role: 'registrar', scope: everyScope }] },
    // A second one, in another building: what a thief has stopped, only two can ask for together (docs/did.md).
    { id: 'registrar-district', title: { ko: '구청 시민증 등록 담당', en: 'registrar at the district offices' }, organisation: 'busan', roles: [{ role: 'registrar', scope: everyScope }] },
    { id: 'issuer', title: { ko: '자격확인 발급기관', en: 'issuer of cards and qualifications' }, organisation: 'busan', roles: [{ role: 'issuer', scope: everyScope }] },
    { id: 'officer', title: { ko: '정책자금 담당', en: 'officer of policy funds' }, organisation: 'busan', roles: [{ role: 'officer', scope: everyScope }] },
    { id: 'settler', title: { ko: 'BNK 정산 담당', en: 'settlement of the bank' }, organisation: 'bnk', roles: [{ role: 'settler', scope: everyScope }] },
    { id: 'operator', title: { ko: '공공시설 운영 담당', en: 'operator of public facilities' }, organisation: 'busan', roles: [{ role: 'operator', scope: everyScope }] },
    { id: 'moderator', title: { ko: '생활권 게시판 담당', en: 'moderator of the boards' }, organisation: 'busan', roles: [{ role: 'moderator', scope: everyScope }] },
  ],
  livingAreas,
  facilities,
  programs: (openedMs) => [multiChild(openedMs), youthCulturePass(openedMs)],
}
