// Cohort computes what a model pack knows of strangers: the mean and covariance of their embeddings, and from these what
// a normalised score means. It is run again when the models or what happens between a picture and its embedding change.
//
//	go run ./bench/cohort --lfw DIR/lfw-dev.tar                  # the default pack's figures, into packbuild's folder
//	go run ./bench/cohort --lfw FILE --models DIR --out DIR      # those of another pack
//
// The faces come from a tar file of the LFW data set (Labeled Faces in the Wild, University of Massachusetts): entries
// PERSON/PERSON_NNNN.jpg in any folder. 500 people with a single photo are the cohort: they are the least known, so they
// are the least likely to be searched for. All others serve the calibration: every photo of a person is compared with
// every photo of every other one. What is written are aggregates: no face, no name and nobody's embedding. Calibration
// points that are in the folder's figures.json already stay, so that better ones are not lost; what was measured is
// printed.
package main
