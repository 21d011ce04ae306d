// Package config holds the settings of the program: what every command needs is a [Config], what the server needs beside
// it a [Server]. For each there is one struct, one set of defaults, one check (Validate) and one table (Settings) from
// which flags, environment variables, the keys of the configuration file and documentation are made, so that none of them
// can drift from the others. [Sources] puts them together for the server: defaults, then the file, then the environment,
// then the flags.
//
// A setting with rules is a type that reads and writes itself as text; a [Secret] only reads. The package reads nothing by
// itself: whoever starts the program hands it the environment and the door to files. It knows no other room.
package config
