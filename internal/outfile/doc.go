// Package outfile writes the files that a person or an operator names. A file appears under its name when it is complete,
// or not at all; and it never takes the place of something that the work reads, nor of a file of another kind.
//
//	place, err := outfile.At("result.html", page, false) // may it be written there?
//	err = place.Apart(inputs)                            // is it none of what is read?
//	file, err := place.Create()                          // a hidden file beside it
//	defer file.Discard()
//	_, err = file.Write(content)
//	err = file.Commit()                                  // now it has its name
//
// It knows no formats: who writes a kind of file says how to tell it. Standard library only.
package outfile
