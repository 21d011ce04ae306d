// Package packbuild makes the default model pack out of installed npm packages: it edits the model files for the way
// they are run here, builds graphs around weights that come without one, adds the committed figures about strangers'
// embeddings, and writes a folder with a manifest. The same packages give the same bytes. It runs no model and fetches
// nothing.
package packbuild
