// Drives Spotter with AWS's SDK for JavaScript from a web page, as AWS's samples for browsers do. It is bundled and run in a browser
// by the Go tests, which call these functions.
import * as aws from "@aws-sdk/client-rekognition";

const client = ({ endpoint, credentials }) =>
  new aws.RekognitionClient({ endpoint, region: "us-east-1", maxAttempts: 1, credentials });

// What a page gets to know of an error.
const told = (e) => ({ name: e.name, message: e.message, status: e.$metadata?.httpStatusCode ?? 0, id: e.$metadata?.requestId ?? "" });

// use lists the collections, searches a photo (base64) in one and asks for another that is not there.
globalThis.use = async ({ collection, photo, ...server }) => {
  const rekognition = client(server);
  const listed = await rekognition.send(new aws.ListCollectionsCommand({}));
  const Bytes = Uint8Array.from(atob(photo), (c) => c.charCodeAt(0));
  const found = await rekognition.send(new aws.SearchFacesByImageCommand({ CollectionId: collection, Image: { Bytes } }));
  const missing = await rekognition.send(new aws.DescribeCollectionCommand({ CollectionId: "none" })).catch((e) => e);
  return {
    collections: listed.CollectionIds,
    people: found.FaceMatches.map((m) => m.Face.ExternalImageId),
    missing: { ...told(missing), modelled: missing instanceof aws.ResourceNotFoundException },
  };
};

// create tries to make a collection, and says what came of it.
globalThis.create = async ({ collection, ...server }) => {
  try {
    await client(server).send(new aws.CreateCollectionCommand({ CollectionId: collection }));
    return { name: "" };
  } catch (e) {
    return told(e);
  }
};
