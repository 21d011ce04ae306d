// Package engine is the face pipeline put together: a model pack, a recognizer for each worker, the decoder, and what turns photos
// into enrolled faces and videos into sightings.
//
// An [Engine] serves both who searches from a command line and a server. The first enrols photos ([Engine.Enrol]) and searches files
// ([Engine.Open]); the second takes the ports that its service asks for, [Engine.Photos] and [Engine.Videos]. Either way a segment
// of a video is analysed by the same code, and the same video and faces give the same sightings. What a job keeps between its
// steps, plans, segments and terms, has its form here: forms in databases are read for good, and golden files hold them.
//
// What a video shows can also be kept and asked later: [Video.Analyse] makes a [Record] of a track, [Engine.Recall] finds out who of some
// people was seen in it, with the bytes of a search, and a [Crowd] of many records tells in which it is worth asking.
//
// Each worker stands for a core: whoever works hard holds one of [Workers] recognizers, so that searching, enrolling and encoding
// together do not take more. Times are from the start of the container, boxes ratios of the upright picture, similarities
// percent. Everything is safe for concurrent use, but a [Video], whose tracks are searched one after another.
//
// What is missing on the machine is a [*fault.EnvironmentError] that says what to do. What is wrong with a photo is told, and the
// photo left out; what is wrong with a video is an error of that video, in a sentence, and for the service one of its kinds.
package engine
