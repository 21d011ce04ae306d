package audit

import "time"

// Entry says who did what, when, and what came of it. There is no place in it for images or embeddings.
type Entry struct {
	Time time.Time `json:"time"`
	// Request is the id that the answer carried; Key and Name are those of the access key, Address is where the request
	// came from. Of an operator's command there is the Name only.
	Request string `json:"request_id,omitempty"`
	Key     string `json:"access_key_id,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	// Operation is what was asked for, or what happened to faces: FacesEnrolled, FacesDeleted.
	Operation string `json:"operation"`
	// Resources are what it was about, such as collection/staff, user/anna, job/0123, key/AKIA0123, s3://archive/clip.mp4.
	Resources []string `json:"resources,omitempty"`
	// Outcome is "OK" or the name of the exception.
	Outcome string `json:"outcome,omitempty"`
	// More is how many more requests there were of this key, for this operation and with this outcome, in the minute that ends
	// with the entry: who is throttled can ask as often as they like. Of requests that were throttled only.
	More int `json:"more,omitempty"`
	// Enrolled and Deleted are the ids of faces.
	Enrolled []string `json:"faces_enrolled,omitempty"`
	Deleted  []string `json:"faces_deleted,omitempty"`
}
