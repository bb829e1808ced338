import { lowerCaseAscii, type Policy } from '../config.ts';
import type { Claims } from './token.ts';

/** `tfp`, or `acr` in the tokens of older policies and of custom ones without a `tfp`. */
export function policyClaim(claims: Claims): unknown {
  return Object.hasOwn(claims, 'tfp') ? claims['tfp'] : claims['acr'];
}

/**
 * The configured policy that a token says it is from. The claim is read before the signature is verified, because it
 * decides which keys may have signed; a lie leads to keys that do not fit.
 */
export function policyOf(claims: Claims, policies: readonly Policy[]): Policy | undefined {
  // A plain OpenID issuer has no policies.
  const [first] = policies;
  if (first?.name === '') return first;
  const claim = policyClaim(claims);
  if (typeof claim !== 'string') return undefined;
  const name = lowerCaseAscii(claim);
  return policies.find((policy) => policy.name === name);
}
