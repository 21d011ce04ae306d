// Accuracy measures what Spotter finds, and what it names wrongly, on clips with ground truth.
//
//	go run ./bench/accuracy                       # evaluation data in ../shared/evaluation
//	go run ./bench/accuracy --evaluation DIR --json
//
// It runs the command line as a user would (bin/spotter search --json), compares the answer with each clip's ground
// truth and prints recall, intervals found and precision per clip, with every missed interval and every false match.
// Then it looks at each clip once more and measures names and persons: with each enrolled person left out and each alone
// (nobody may bear a name that is not theirs), the answers at 80 and 90 against that at 50, and how well one person is one
// index, with everybody and with nobody enrolled. LFW pairs are verified through the same recogniser. It exits with 1 when a goal is missed.
//
// The evaluation data are not part of the project: real people's faces, for local measurement only.
package main
