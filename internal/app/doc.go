// Package app puts the rooms together: it is the only one that knows them all.
//
// [Serve] opens what a server consists of, hands each part what it asks for, and stops it in good order. [OpenOperator] opens what a
// server keeps for an operator; [Migrate], [Backup] and [Copy] make, copy and move its database. [Doctor] says what of the environment
// works, and [BuildModels] and [VerifyModels] care for the model pack.
//
// It reads no flags and no environment variables, prints nothing by itself, and takes its clock from the caller.
package app
