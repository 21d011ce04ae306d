// The packaged peer: face-api under Node, on TensorFlow.js's WebAssembly backend.
//
//   node faceapi.js FRAMES_A_SECOND PEOPLE VIDEO
//
// It enrols the photos of a folder (PERSON/PHOTO or PERSON.PHOTO), looks at the frames that ffmpeg takes out of the video, and
// writes one JSON line a frame: {"at": ms after the first frame, "faces": [{"name": ..., "score": ...}]}. The score is the
// Euclidean distance to the nearest person, negative so that more is more alike.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

const folder = (name) => path.dirname(require.resolve(`${name}/package.json`));

async function load() {
  wasm.setWasmPaths(`${path.join(folder('@tensorflow/tfjs-backend-wasm'), 'dist')}${path.sep}`);
  if (!await tf.setBackend('wasm')) throw new Error('no WebAssembly backend');
  await tf.ready();
  const models = path.join(folder('@vladmandic/face-api'), 'model');
  await faceapi.nets.ssdMobilenetv1.loadFromDisk(models);
  await faceapi.nets.faceLandmark68Net.loadFromDisk(models);
  await faceapi.nets.faceRecognitionNet.loadFromDisk(models);
}

// look finds and describes the faces of an RGB picture, with the package's own defaults.
async function look({ pixels, width, height }) {
  const picture = tf.tensor3d(pixels, [height, width, 3], 'int32');
  try {
    return await faceapi.detectAllFaces(picture, new faceapi.SsdMobilenetv1Options()).withFaceLandmarks().withFaceDescriptors();
  } finally {
    picture.dispose();
  }
}

// frames gives each picture that ffmpeg makes of a file, turned upright: PPM, which says in a line how large it is.
async function* frames(file, filter) {
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-i', file, '-an', ...filter, '-fps_mode', 'passthrough', '-c:v', 'ppm', '-f', 'image2pipe', '-'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => { ffmpeg.on('error', reject).on('close', resolve); });
  let frame;
  let filled = 0;
  let rest = Buffer.alloc(0); // of a header
  for await (const chunk of ffmpeg.stdout) {
    let data = chunk;
    while (data.length > 0) {
      if (filled === 0) {
        rest = Buffer.concat([rest, data]);
        const head = /^P6\s(\d+)\s(\d+)\s255\s/.exec(rest.subarray(0, 64).toString('latin1'));
        if (!head) break;
        data = rest.subarray(head[0].length);
        rest = Buffer.alloc(0);
        const [width, height] = [Number(head[1]), Number(head[2])];
        if (frame?.width !== width || frame?.height !== height) frame = { width, height, pixels: Buffer.alloc(width * height * 3) };
      }
      const taken = data.copy(frame.pixels, filled);
      filled += taken;
      data = data.subarray(taken);
      if (filled === frame.pixels.length) {
        yield frame;
        filled = 0;
      }
    }
  }
  const status = await ended;
  if (status !== 0 || filled + rest.length !== 0) throw new Error(`ffmpeg read ${file} badly: status ${status}`);
}

async function enrol(people) {
  const known = new Map();
  const files = fs.readdirSync(people, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  for (const f of files) {
    const file = path.join(f.parentPath ?? f.path, f.name);
    const name = path.relative(people, file).split(path.sep)[0];
    const found = await enrolPhoto(file);
    if (found) known.set(name, [...known.get(name) ?? [], found.descriptor]);
    else process.stderr.write(`no face in ${file}\n`);
  }
  // The threshold is the reader's: whoever is nearest is named.
  return new faceapi.FaceMatcher([...known].map(([name, faces]) => new faceapi.LabeledFaceDescriptors(name, faces)), Infinity);
}

async function enrolPhoto(file) {
  let largest;
  for await (const photo of frames(file, ['-frames:v', '1'])) {
    const faces = await look(photo);
    [largest] = faces.sort((a, b) => b.detection.box.area - a.detection.box.area);
  }
  return largest;
}

async function main([rate, people, video]) {
  await load();
  const matcher = await enrol(people);
  let n = 0;
  for await (const frame of frames(video, ['-vf', `setpts=PTS-STARTPTS,fps=${rate}`])) {
    const faces = (await look(frame)).map((f) => {
      const best = matcher.findBestMatch(f.descriptor);
      return { name: best.label, score: -best.distance };
    });
    process.stdout.write(`${JSON.stringify({ at: Math.round(1000 * n / rate), faces })}\n`);
    n += 1;
  }
}

main(process.argv.slice(2)).catch((err) => {
  process.stderr.write(`${err.stack}\n`);
  process.exitCode = 1;
});
