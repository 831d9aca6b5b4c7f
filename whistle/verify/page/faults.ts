// SPDX-License-Identifier: AGPL-3.0-or-later
// What was checked and what was found; the names are those of whistle/verify/faults.py.

export interface Found {
  fault: string;
  where: string;
}

export interface Check {
  key: string;
  state: "passed" | "failed" | "skipped";
  numbers: { [name: string]: string | number };
}

export class FaultError extends Error {
  constructor(
    readonly fault: string,
    readonly where = "",
  ) {
    super(fault);
  }
}

export class Verdict {
  readonly checks: Check[] = [];
  readonly faults: Found[] = [];

  judge(key: string, found: Found[], numbers: Check["numbers"] = {}): void {
    this.faults.push(...found);
    this.checks.push({ key, state: found.length ? "failed" : "passed", numbers });
  }

  /** A check that may throw a FaultError, which is noted and thrown on. */
  async checking<T>(key: string, work: (numbers: Check["numbers"]) => T | Promise<T>): Promise<T> {
    const numbers: Check["numbers"] = {};
    try {
      const value = await work(numbers);
      this.checks.push({ key, state: "passed", numbers });
      return value;
    } catch (error) {
      if (error instanceof FaultError) this.judge(key, [{ fault: error.fault, where: error.where }]);
      throw error;
    }
  }

  skip(...keys: string[]): void {
    for (const key of keys) {
      if (!this.checks.some((check) => check.key === key)) this.checks.push({ key, state: "skipped", numbers: {} });
    }
  }
}
