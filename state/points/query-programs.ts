// What programmes there are, on what terms, and where their money is.
import type { Did } from '../../primitives/brand.ts'
import { did, type Infer, oneOf, optional, record, slug } from '../../primitives/schema.ts'
import { pageFields, pageOf, pageResult, query } from '../query.ts'
import type { QueryView, ReadView } from '../view.ts'
import { merchantTable, programTable, sums } from './keys.ts'
import { programsMax } from './limits.ts'
import { readSums } from './sums.ts'
import { merchant, type Program, programFields } from './types.ts'

export const programStanding = record({ ...programFields, sums })
export type ProgramStanding = Infer<typeof programStanding>

function standingOf(view: ReadView, program: Program): ProgramStanding {
  return { ...program, sums: readSums(view, program.id) }
}

/** All programmes, in the order of their ids: as many as there may be. */
export async function allPrograms(view: QueryView): Promise<readonly Program[]> {
  return (await view.scan(programTable, [], { limit: programsMax })).items.map(({ value }) => value)
}

export const programsQuery = query({
  method: 'points_programs',
  summary: 'Programmes with their terms and sums, in the order of their ids.',
  params: record(pageFields),
  result: pageResult(programStanding),
  run: async (view, params) => {
    const { items, next } = await view.scan(programTable, [], pageOf(params))
    return { items: items.map(({ value }) => standingOf(view, value)), next }
  },
})

export const programQuery = query({
  method: 'points_program',
  summary: 'A programme with its terms and sums.',
  params: record({ program: slug }),
  result: programStanding,
  run: (view, params) => {
    const found = view.get(programTable, params.program)
    return found === undefined ? undefined : standingOf(view, found)
  },
})

const merchantItem = record({ merchant: did, category: slug, livingArea: optional(slug), status: oneOf('active', 'suspended') })

export const merchantQuery = query({
  method: 'points_merchant',
  summary: 'A merchant: its category, its living area, and whether it takes points.',
  params: record({ merchant: did }),
  result: merchant,
  run: (view, params) => view.get(merchantTable, params.merchant),
})

export const merchantsQuery = query({
  method: 'points_merchants',
  summary: 'Merchants in the order of their DIDs.',
  params: record(pageFields),
  result: pageResult(merchantItem),
  run: async (view, params) => {
    const { items, next } = await view.scan(merchantTable, [], pageOf(params))
    return { items: items.map(({ key, value }) => ({ merchant: key[0] as Did, ...value })), next }
  },
})
