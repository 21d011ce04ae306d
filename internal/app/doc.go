// Package app puts the rooms together: it is the only one that knows them all, and the front door for the command line.
//
// [Search] enrols a folder of people and searches videos for them, [Doctor] says what of the environment works, and
// [BuildModels] and [VerifyModels] care for the model pack. Results leave it through [Output], ready to be written.
//
// [Serve] runs a server, [OpenOperator] opens what it keeps for an operator, and [Backup] copies its database.
//
// It reads no flags and no environment variables, prints nothing by itself, and takes its clock from the caller.
package app
