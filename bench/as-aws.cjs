/**
 * Loaded into a measured Node process so that a name of AWS leads to this machine: the program then does what it does
 * with AWS itself, which it knows by its name.
 */
"use strict";
const dns = process.getBuiltinModule("node:dns");
const { lookup } = dns;
dns.lookup = (name, options, done) => lookup(name.endsWith(".amazonaws.com") ? "127.0.0.1" : name, options, done);
