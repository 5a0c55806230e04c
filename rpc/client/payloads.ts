// The payload schema of every kind. The client imports the schemas alone, not the rules; a test compares this list with the families' own.
import { commentPayload, erasePayload, hidePayload, newsPayload, postPayload, reactPayload, restorePayload } from '../../state/community/types.ts'
import { anchorPayload, registerIssuerPayload, registerSchemaPayload, setStatusPayload } from '../../state/credential/types.ts'
import { grantRolePayload, proposePayload, revokeRolePayload, votePayload } from '../../state/governance/types.ts'
import { deactivatePayload, recoverPayload, registerPayload, requestRecoveryPayload, stopRecoveryPayload, updatePayload } from '../../state/did/types.ts'
import {
  amendMerchantPayload,
  amendProgramPayload,
  applyPayload,
  budgetPayload,
  closeProgramPayload,
  decidePayload,
  issuePayload,
  openProgramPayload,
  reclaimPayload,
  refundPayload,
  registerMerchantPayload,
  resumeMerchantPayload,
  settlePayload,
  spendPayload,
  suspendMerchantPayload,
} from '../../state/points/types.ts'
import {
  attendancePayload,
  cancelPayload,
  closeFacilityPayload,
  closeSlotPayload,
  openSlotsPayload,
  registerFacilityPayload,
  reservePayload,
} from '../../state/reservation/types.ts'
import type { Infer } from '../../primitives/schema.ts'

export const payloadSchemas = {
  'did.register': registerPayload,
  'did.update': updatePayload,
  'did.recover': recoverPayload,
  'did.requestRecovery': requestRecoveryPayload,
  'did.stopRecovery': stopRecoveryPayload,
  'did.completeRecovery': deactivatePayload,
  'did.deactivate': deactivatePayload,
  'credential.registerIssuer': registerIssuerPayload,
  'credential.registerSchema': registerSchemaPayload,
  'credential.anchor': anchorPayload,
  'credential.setStatus': setStatusPayload,
  'points.registerMerchant': registerMerchantPayload,
  'points.amendMerchant': amendMerchantPayload,
  'points.suspendMerchant': suspendMerchantPayload,
  'points.resumeMerchant': resumeMerchantPayload,
  'points.openProgram': openProgramPayload,
  'points.amendProgram': amendProgramPayload,
  'points.topUp': budgetPayload,
  'points.cutBudget': budgetPayload,
  'points.closeProgram': closeProgramPayload,
  'points.apply': applyPayload,
  'points.decide': decidePayload,
  'points.issue': issuePayload,
  'points.spend': spendPayload,
  'points.refund': refundPayload,
  'points.settle': settlePayload,
  'points.reclaim': reclaimPayload,
  'reservation.registerFacility': registerFacilityPayload,
  'reservation.closeFacility': closeFacilityPayload,
  'reservation.openSlots': openSlotsPayload,
  'reservation.closeSlot': closeSlotPayload,
  'reservation.reserve': reservePayload,
  'reservation.cancel': cancelPayload,
  'reservation.checkIn': attendancePayload,
  'reservation.noShow': attendancePayload,
  'community.post': postPayload,
  'community.news': newsPayload,
  'community.comment': commentPayload,
  'community.react': reactPayload,
  'community.hide': hidePayload,
  'community.restore': restorePayload,
  'community.erase': erasePayload,
  'governance.propose': proposePayload,
  'governance.vote': votePayload,
  'governance.grantRole': grantRolePayload,
  'governance.revokeRole': revokeRolePayload,
} as const

export type KindName = keyof typeof payloadSchemas
export type PayloadOf<K extends KindName> = Infer<(typeof payloadSchemas)[K]>
