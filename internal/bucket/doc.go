// Package bucket turns objects of named buckets into local files that can be read. A bucket is a [Folder] of this machine
// or a bucket of an [S3] server: Amazon's, MinIO, Garage, Ceph, SeaweedFS, versitygw and others that speak the protocol.
//
// An object is looked at with [Buckets.Stat], which pins its state: size, ETag and, where the bucket keeps them, version.
// [Buckets.Open] and [File.Fetch] give the content in exactly that state or say that it has changed, also when the object is replaced
// half-way through a download. [Buckets.Read] is for what fits into memory.
//
// # Folders
//
// A file of a folder is opened where it lies and never copied. No symbolic link, no ".." and no race between them leads
// out of the folder, and nothing but regular files is opened. The ETag is made of size, time of change and inode, so that
// the folder must be on a file system on which inodes stay what they are. A file can change while it is read:
// [File.Verify] says afterwards whether it did.
//
// # Downloads
//
// Objects of S3 come to a file without a name, so that not even a killed process leaves anything behind, in the parts that
// [File.Fetch] asks for: ranges of 256 KiB, up to 4 MiB for who reads on, each once. Room is found for the whole object before. Whoever opens
// the same object in the same state shares that file, and it is kept for a while after the last one has closed it, as [Cache] says: the
// segments of one video are worked on one after the other. A transfer that breaks off goes on where it stopped. Of a server
// that turns out to know no ranges, all is fetched at once.
//
// # Concurrency
//
// All methods of [Buckets] are safe for concurrent use. Files are shared: read them at offsets only.
//
// The package knows names and bytes: no images, no videos, and not who may read what. It starts goroutines only for
// downloads and for dropping old ones; [Buckets.Close] waits for them.
package bucket
