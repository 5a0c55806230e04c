// The line of a programme: who could not be granted for want of budget or places, in the order of the chain. Who is granted, or is rejected, leaves a
// gap that is passed over. Nobody overtakes: while anybody waits, nothing is granted but from the head of the line.
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { isActive } from '../did/authority.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import type { ReadView, WriteView } from '../view.ts'
import { isRefusal } from './access.ts'
import { minuteOf, putDue } from './due.ts'
import { rejected, waitlisted } from './events.ts'
import { findGrantable, type Holder, makeGrant } from './granting.ts'
import { readAccount } from './grants.ts'
import { accountTable, type Application, type Line, lineRowTable, lineTable, pseudonymKey, pseudonymTable } from './keys.ts'
import type { Program } from './types.ts'

const emptyLine: Line = { head: 1, tail: 0, waiting: 0, queued: false }

export function readLine(view: ReadView, programId: string): Line {
  return view.get(lineTable, programId) ?? emptyLine
}

export function isSomebodyWaiting(view: ReadView, programId: string): boolean {
  return readLine(view, programId).waiting > 0
}

/** The refusal if nobody more can wait. */
export function checkLine(view: ReadView, program: Program): Refusal | undefined {
  const { waiting } = readLine(view, program.id)
  return waiting < (program.waitlistMax ?? 0) ? undefined : refuse('points/waitlist-full', { waiting })
}

/** Puts an application at the end of the line and writes the account. */
export function joinLine({ view, emit }: BlockContext, program: Program, { did, account }: Holder, application: Omit<Application, 'status' | 'line'>): void {
  const line = readLine(view, program.id)
  const number = line.tail + 1
  view.put(lineTable, [program.id], { ...line, tail: number, waiting: line.waiting + 1 })
  view.put(lineRowTable, [program.id, number], { did })
  view.put(accountTable, [program.id, did], { ...account, application: { ...application, status: 'waiting', line: number } })
  emit(waitlisted({ program: program.id, did, place: application.place, line: number, ahead: line.waiting }))
}

/** One who waited has left from the middle; the row stays as a gap. */
export function leaveLine(view: WriteView, programId: string): void {
  const line = readLine(view, programId)
  assert(line.waiting > 0, 'somebody waits')
  view.put(lineTable, [programId], { ...line, waiting: line.waiting - 1 })
}

/** Something was freed: with the next block whoever comes next moves up. */
export function wakeLine({ view, block }: BlockContext, programId: string): void {
  const line = readLine(view, programId)
  if (line.waiting === 0 || line.queued) return
  view.put(lineTable, [programId], { ...line, queued: true })
  putDue(view, minuteOf(block.timeMs), { type: 'line', program: programId })
}

/** Grants from the head of the line as long as there is something to grant, looking at no more than `max` numbers of it. Returns how many it looked at. */
export function moveUp(context: BlockContext, program: Program, max: number): number {
  const { view } = context
  if (program.status === 'closed') return 0
  let line = readLine(view, program.id)
  let looked = 0
  let isStopped = false
  while (line.waiting > 0 && looked < max && !isStopped) {
    const row = view.get(lineRowTable, program.id, line.head)
    assert(row !== undefined, `number ${line.head} of the line of ${program.id}`)
    const outcome = moveOneUp(context, program, row.did, line.head)
    isStopped = outcome === 'stopped'
    if (isStopped) break
    looked++
    view.remove(lineRowTable, [program.id, line.head])
    line = { ...line, head: line.head + 1, waiting: line.waiting - (outcome === 'gap' ? 0 : 1) }
  }
  if (looked > 0) view.put(lineTable, [program.id], line)
  if (!isStopped) wakeLine(context, program.id)
  return looked
}

function moveOneUp(context: BlockContext, program: Program, did: Did, number: number): 'granted' | 'left' | 'gap' | 'stopped' {
  const { view, emit } = context
  const account = readAccount(view, program.id, did)
  const { application } = account
  if (application?.status !== 'waiting' || application.line !== number) return 'gap'
  const { tier, place, appliedMs, pseudonym } = application
  assert(pseudonym !== undefined, 'who waits has a pseudonym')
  if (!isActive(view, did)) {
    view.remove(pseudonymTable, pseudonymKey(program.id, pseudonym))
    view.put(accountTable, [program.id, did], { ...account, application: { tier, place, appliedMs, status: 'rejected', reason: 'did-inactive' } })
    emit(rejected({ program: program.id, did, reason: 'did-inactive' }))
    return 'left'
  }
  const holder = { did, account: { ...account, application: { tier, place, appliedMs, status: 'granted' as const } } }
  if (isRefusal(findGrantable(context, program, holder, tier))) return 'stopped'
  const refusal = makeGrant(context, program, holder, { tier })
  assert(refusal === undefined, 'what can be granted is granted')
  return 'granted'
}
