// Package face holds the words and the arithmetic of the field: boxes, landmarks, pictures, detections, embeddings,
// scores and similarities. Every other room speaks in these types.
//
// It is the bottom of the house: it imports the standard library only, knows no file formats, models, databases or
// wire spellings, holds no state, and every function is safe for concurrent use.
//
// Conventions that hold everywhere:
//
//   - A picture's origin is its top-left corner, x grows to the right, y downwards. Pixel (0,0) covers the square from
//     (0,0) to (1,1); its centre is (0.5,0.5) in a PixelBox and in a ratio.
//   - [Box] and [Landmarks] are ratios of the picture's upright width and height, so they hold at any resolution. They
//     may be below 0 or above 1 where a face is cut by the edge.
//   - Left and right are the viewer's: the left eye is the one with the smaller x in an upright frontal face.
//   - Time is a [time.Duration] from the start of the container, as a player shows it.
package face
