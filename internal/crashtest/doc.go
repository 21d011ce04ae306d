// Package crashtest proves what the server promises about its end: killed at any moment it goes on where it stood, asked to
// stop it does so in good order, and where it cannot start or go on it says why. Its tests run the real program as a process
// of its own, on real videos, and treat it as operators, clients and power cuts do.
//
// It uses the API and what lies in the data folder, and refuses to know what is inside the process; what a crash has cost it
// counts in the log. It needs what 'make setup' makes, and skips without it.
package crashtest
