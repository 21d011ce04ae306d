// Package raster moves pixels: pictures into smaller pictures, into turned and scaled crops, and into the float tensors
// that models read. It knows pictures and numbers, no faces and no models.
//
// Coordinates are pixel indices unless said otherwise: the centre of the first pixel is (0,0), half a pixel less than
// in a [face.PixelBox]. Nothing here allocates once its buffers have grown to the sizes in use. Integer arithmetic
// throughout, so that one picture gives one result on every machine.
package raster
