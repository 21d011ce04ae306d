// Package config holds the settings of the program: one struct ([Config]), one set of defaults ([Default]), one check
// ([Config.Validate]) and one table ([Config.Settings]) from which flags, environment variables and documentation are
// made, so that none of them can drift from the others.
//
// A setting with rules is a type that reads and writes itself as text. The package reads nothing by itself: whoever
// starts the program hands it the environment. It knows no other room.
package config
