// Package evaluation is the evaluation set: its clips, their ground truth, and the rules by which an answer is scored. The files
// hold real people's faces and are not part of the project.
//
// It knows nothing of who searches, nor of what that costs.
package evaluation
