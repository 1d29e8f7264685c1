// The one kind of exception by which input is refused. Anything else that is thrown is a bug of the verifier.

export class Refused extends Error {}

export function refuse(message) {
  throw new Refused(message);
}

export function demand(condition, message) {
  if (!condition) refuse(message);
}
