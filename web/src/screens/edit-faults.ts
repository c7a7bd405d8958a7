/** What stops an edited card from being kept, in words. */
import { payload } from '../codes/bytes';
import { wrong } from '../codes/formats';
import { clean } from '../codes/typed';
import { words } from '../messages';
import type { Code } from '../model';
import { amountOf, type Edit } from './edit-fields';

export interface EditFaults {
  name?: string;
  balance?: string;
  dates?: string;
  /** By the code's place. */
  codes?: Record<number, string>;
}

export function faultsOf(edit: Edit): EditFaults {
  const { edit: said } = words();
  const codes = codeFaults(edit.codes);
  return {
    ...(!clean(edit.shop.name) && { name: said.nameWrong }),
    ...(amountOf(edit.balance, edit.unit) === null && { balance: said.balanceWrong }),
    ...(edit.validFrom && edit.expiresOn && edit.validFrom > edit.expiresOn && { dates: said.datesWrong }),
    ...(Object.keys(codes).length && { codes }),
  };
}

function codeFaults(codes: readonly Code[]): Record<number, string> {
  const faults = codes.map((code, i): [number, string | undefined] => {
    const misfit = wrong(code.format, payload(code));
    return [i, misfit && words().misfit[misfit]];
  });
  return Object.fromEntries(faults.filter((one): one is [number, string] => one[1] !== undefined));
}
