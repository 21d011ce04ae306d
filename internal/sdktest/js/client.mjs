// Drives Spotter with AWS's SDK for JavaScript, as an application would. It is run by the Go tests, which name the server in
// the environment, and ends with an error where an answer is not the expected one.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import * as aws from "@aws-sdk/client-rekognition";

const { ENDPOINT, COLLECTION, BUCKET } = process.env;
const client = new aws.RekognitionClient({ endpoint: ENDPOINT, region: "us-east-1", maxAttempts: 1 });
const send = (Command, input) => client.send(new Command({ CollectionId: COLLECTION, ...input }));
const video = (Name) => ({ S3Object: { Bucket: "archive", Name } });

async function refused(type, message, Command, input) {
  await assert.rejects(send(Command, input), (e) => {
    assert(e instanceof type, `${e.name}: ${e.message}`);
    assert.equal(e.$metadata.httpStatusCode, 400);
    assert.equal(e.message, message);
    return true;
  });
}

const created = await send(aws.CreateCollectionCommand, { Tags: { made: "by a test" } });
assert.equal(created.StatusCode, 200);
assert.equal(created.$metadata.requestId.length, 36);
await refused(aws.ResourceAlreadyExistsException, `The collection id: ${COLLECTION} already exists.`, aws.CreateCollectionCommand);

const Bytes = await readFile(`${BUCKET}/people/ANNA/green.jpg`);
const indexed = await send(aws.IndexFacesCommand, { Image: { Bytes }, ExternalImageId: "anna", DetectionAttributes: ["ALL"] });
const FaceId = indexed.FaceRecords[0].Face.FaceId;
assert.equal(indexed.FaceRecords[0].FaceDetail.Gender.Value, "Female");
await send(aws.IndexFacesCommand, { Image: { S3Object: { Bucket: "archive", Name: "people/DORA/red.jpg" } }, ExternalImageId: "dora" });

const listed = [];
for await (const page of aws.paginateListFaces({ client, pageSize: 1 }, { CollectionId: COLLECTION })) {
  assert(page.Faces.length <= 1);
  listed.push(...page.Faces.map((f) => f.ExternalImageId));
}
assert.deepEqual(listed.sort(), ["anna", "dora"]);

await send(aws.CreateUserCommand, { UserId: "anna" });
const associated = await send(aws.AssociateFacesCommand, { UserId: "anna", FaceIds: [FaceId] });
assert.equal(associated.UserStatus, "ACTIVE");
const users = await send(aws.SearchUsersByImageCommand, { Image: { Bytes } });
assert.equal(users.UserMatches[0].User.UserId, "anna");
await refused(aws.ConflictException, "The user id: anna already exists.", aws.CreateUserCommand, { UserId: "anna" });

const started = await send(aws.StartFaceSearchCommand, { Video: video("clip.mp4"), JobTag: "js" });
const JobId = started.JobId;
for (;;) {
  const { JobStatus, StatusMessage } = await client.send(new aws.GetFaceSearchCommand({ JobId }));
  if (JobStatus === "SUCCEEDED") break;
  assert.equal(JobStatus, "IN_PROGRESS", StatusMessage);
  await pause(100);
}
const seen = new Set();
for await (const page of aws.paginateGetFaceSearch({ client, pageSize: 20 }, { JobId, SortBy: "INDEX" })) {
  assert.equal(page.VideoMetadata.Codec, "h264");
  assert.equal(page.JobTag, "js");
  for (const person of page.Persons) {
    for (const match of person.FaceMatches) seen.add(match.Face.ExternalImageId);
  }
}
assert.deepEqual([...seen].sort(), ["anna", "dora"]);

await refused(aws.InvalidS3ObjectException,
  "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
  aws.StartFaceSearchCommand, { Video: video("none.mp4") });
await refused(aws.InvalidParameterException, "There are no faces in the image. Should be at least 1.",
  aws.SearchFacesByImageCommand, { Image: { S3Object: { Bucket: "archive", Name: "blank.jpg" } } });
// This SDK checks nothing by itself.
await assert.rejects(client.send(new aws.StartFaceSearchCommand({})), {
  name: "ValidationException",
  message: "2 validation errors detected: Value null at 'video' failed to satisfy constraint: Member must not be null; " +
    "Value null at 'collectionId' failed to satisfy constraint: Member must not be null",
});
assert.equal((await send(aws.DeleteCollectionCommand)).StatusCode, 200);
await refused(aws.ResourceNotFoundException, `Collection:${COLLECTION} not found!`, aws.DescribeCollectionCommand);
client.destroy();
